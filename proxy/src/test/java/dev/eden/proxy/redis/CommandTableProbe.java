package dev.eden.proxy.redis;

import dev.eden.proxy.resp.ReplyScanner;
import dev.eden.proxy.resp.RespValue;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Holds the bundled table against a live server's answer. */
public final class CommandTableProbe {
    private CommandTableProbe() {}

    /** Lines that only one of the two has. */
    public static List<String> differences(int port) {
        List<String> bundled = CommandTable.bundled().render();
        List<String> live = CommandTable.of(commands(port)).render();
        List<String> differences = new ArrayList<>();
        bundled.stream()
                .filter(line -> !live.contains(line))
                .map(line -> "bundled " + line)
                .forEach(differences::add);
        live.stream()
                .filter(line -> !bundled.contains(line))
                .map(line -> "live " + line)
                .forEach(differences::add);
        return differences;
    }

    private static RespValue commands(int port) {
        ByteBuf all = Unpooled.buffer();
        ReplyScanner scanner = new ReplyScanner();
        byte[] chunk = new byte[8192];
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream().write("*1\r\n$7\r\nCOMMAND\r\n".getBytes());
            int at = 0;
            while (!scanner.complete()) {
                int read = socket.getInputStream().read(chunk);
                all.writeBytes(chunk, 0, read);
                at = scanner.scan(all, at, all.writerIndex());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return RespValue.read(all);
    }
}
