package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

class FreePortTest {
    @Test
    void givesEachPortOnceAndBindable() throws Exception {
        var seen = new HashSet<Integer>();
        for (int i = 0; i < 50; i++) {
            int port = FreePort.find();
            assertThat(seen.add(port)).isTrue();
            try (var socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                assertThat(socket.isBound()).isTrue();
            }
        }
    }
}
