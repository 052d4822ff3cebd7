package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ExecReplyTest {
    @Test
    void saysOtherwiseWhatIsNotTheServers() {
        assertThat(said("*4\r\n+OK\r\n*2\r\n$2\r\n17\r\n*1\r\n$1\r\nk\r\n:7\r\n*2\r\n$1\r\n0\r\n*0\r\n"))
                .isEqualTo("*4\r\n+OK\r\n*2\r\n$3\r\n275\r\n*1\r\n$1\r\nk\r\n:7\r\n*2\r\n$1\r\n0\r\n*0\r\n");
    }

    @Test
    void leavesAloneWhatIsNoReplyToThem() {
        for (String reply : new String[] {
            "-EXECABORT Transaction discarded\r\n",
            "*-1\r\n",
            "_\r\n",
            "*0\r\n",
            "*4\r\n+OK\r\n-WRONGTYPE no\r\n:7\r\n-ERR invalid cursor\r\n"
        }) {
            assertThat(said(reply)).isEqualTo(reply);
        }
    }

    private static String said(String frame) {
        ExecReply reply = new ExecReply();
        reply.add(1, element -> ScanCursor.tagged(element, 3));
        reply.add(3, element -> ScanCursor.tagged(element, 3));
        ByteBuf in = Unpooled.copiedBuffer(frame, StandardCharsets.US_ASCII);
        ByteBuf out = reply.said(in);
        String text = out.toString(StandardCharsets.US_ASCII);
        out.release();
        assertThat(in.refCnt()).isZero();
        return text;
    }
}
