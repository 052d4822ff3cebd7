package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Only Linux has all of 127.0.0.0/8 on its loopback interface. */
@EnabledOnOs(OS.LINUX)
class DataPathTest {
    private final ServerSocket source = echo();
    private final ServerSocket target = echo();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @SuppressWarnings("NullAway.Init")
    private DataPath ways;

    @BeforeEach
    void begin() {
        ways = new DataPath(directory, List.of("server", "proxy-1"), uri(source), uri(target));
    }

    @AfterEach
    void end() throws IOException {
        ways.close();
        source.close();
        target.close();
    }

    @Test
    void oneWayIsCutAndNoOther() throws Exception {
        try (Socket proxy = connect("proxy-1", false);
                Socket server = connect("server", false);
                Socket elsewhere = connect("proxy-1", true);
                Socket database = connect(DataPath.DATABASES, false)) {
            assertThat(answer(proxy)).isEqualTo(1);
            ways.link("proxy-1", false).cut();
            assertThatThrownBy(() -> answer(proxy)).isInstanceOf(SocketTimeoutException.class);
            assertThat(answer(server)).isEqualTo(1);
            assertThat(answer(elsewhere)).isEqualTo(1);
            assertThat(answer(database)).isEqualTo(1);
            try (Socket late = connect("proxy-1", false)) {
                assertThatThrownBy(() -> answer(late)).isInstanceOf(SocketTimeoutException.class);
                ways.link("proxy-1", false).mend();
                // What was under way arrives.
                assertThat(late.getInputStream().read()).isEqualTo(1);
            }
            assertThat(proxy.getInputStream().read()).isEqualTo(1);
            assertThat(answer(proxy)).isEqualTo(1);
        }
    }

    @Test
    void everyProcessIsToldTheSameAddress() {
        URI told = URI.create(ways.uri(false));
        assertThat(told.getUserInfo()).isEqualTo("me:secret");
        assertThat(told.getPath()).isEqualTo("/eden");
        assertThat(told.getPort()).isNotEqualTo(source.getLocalPort());
    }

    /** The process' own file of hosts, in the JVM's format. */
    private Socket connect(String process, boolean toTarget) throws IOException {
        URI told = URI.create(ways.uri(toTarget));
        String[] hosts = Files.readString(Path.of(ways.jvmFlag(process).split("=", 2)[1]))
                .strip()
                .split(" ", 2);
        assertThat(hosts[1]).isEqualTo(told.getHost());
        Socket socket = new Socket(InetAddress.getByName(hosts[0]), told.getPort());
        socket.setSoTimeout(300);
        return socket;
    }

    private static int answer(Socket socket) throws IOException {
        socket.getOutputStream().write(1);
        return socket.getInputStream().read();
    }

    private static URI uri(ServerSocket server) {
        return URI.create("postgresql://me:secret@127.0.0.1:" + server.getLocalPort() + "/eden");
    }

    private static ServerSocket echo() {
        try {
            ServerSocket server = new ServerSocket();
            server.bind(new InetSocketAddress("127.0.0.1", 0));
            Thread.ofVirtual().start(() -> {
                while (!server.isClosed()) {
                    try {
                        Socket client = server.accept();
                        Thread.ofVirtual().start(() -> {
                            try (client) {
                                client.getInputStream().transferTo(client.getOutputStream());
                            } catch (IOException gone) {
                                // The test is over.
                            }
                        });
                    } catch (IOException closed) {
                        return;
                    }
                }
            });
            return server;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
