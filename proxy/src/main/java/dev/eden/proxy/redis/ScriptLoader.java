package dev.eden.proxy.redis;

import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the standby's script cache up with what clients have sent. On one loop. */
final class ScriptLoader {
    private static final Logger LOGGER = LoggerFactory.getLogger(ScriptLoader.class);

    private final ProxyLoop loop;
    private final Scripts scripts;
    private @Nullable ServerAddress loadedOn;
    private long loadedVersion;

    ScriptLoader(ProxyLoop loop, Scripts scripts) {
        this.loop = loop;
        this.scripts = scripts;
    }

    void load(CompletableFuture<Void> done) {
        ServerAddress standby = loop.gate.standby();
        long version = scripts.version();
        if (standby == null || version == 0 || (standby.equals(loadedOn) && version == loadedVersion)) {
            done.complete(null);
            return;
        }
        List<byte[]> bodies = standby.equals(loadedOn) ? scripts.since(loadedVersion) : scripts.all();
        loop.pool(new PoolKey(standby, Identity.EDEN, 0, 2)).await(false, (connection, failure) -> {
            if (connection == null || bodies.isEmpty()) {
                if (connection == null) {
                    LOGGER.atDebug().log("no scripts loaded on the standby: {}", failure);
                }
                done.complete(null);
                return;
            }
            int[] left = {bodies.size()};
            boolean[] refused = {false};
            for (byte[] body : bodies) {
                ByteBuf out = loop.buffer();
                RespWriter.command(out, List.of(Ascii.bytes("SCRIPT"), Ascii.bytes("LOAD"), body));
                connection.expect(
                        new ReplyTarget() {
                            @Override
                            public void reply(ByteBuf frame) {
                                refused[0] |= frame.getByte(frame.readerIndex()) == '-';
                                frame.release();
                                ended();
                            }

                            @Override
                            public void lost() {
                                refused[0] = true;
                                ended();
                            }

                            private void ended() {
                                if (--left[0] > 0) {
                                    return;
                                }
                                if (refused[0]) {
                                    LOGGER.atWarn()
                                            .addKeyValue("endpoint", standby.endpoint())
                                            .log("the standby refused scripts; clients there will get NOSCRIPT");
                                }
                                loadedOn = standby;
                                loadedVersion = version;
                                done.complete(null);
                            }
                        },
                        0);
                connection.write(out);
            }
        });
    }
}
