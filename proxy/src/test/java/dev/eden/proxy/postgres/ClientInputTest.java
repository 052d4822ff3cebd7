package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class ClientInputTest {
    private final ClientInput input = new ClientInput();

    private static ByteBuf bytes(String text) {
        return Unpooled.buffer().writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void add(ByteBuf more) {
        input.add(ByteBufAllocator.DEFAULT, more);
    }

    private String waiting() {
        return Objects.requireNonNull(input.bytes()).toString(StandardCharsets.US_ASCII);
    }

    @Test
    void whatComesInPiecesIsReadInOneGo() {
        add(bytes("abc"));
        Objects.requireNonNull(input.bytes()).skipBytes(2);
        add(bytes("de"));
        assertThat(waiting()).isEqualTo("cde");
        assertThat(input.readable()).isEqualTo(3);
    }

    @Test
    void aRequestThatIsMadeAgainStandsBeforeWhatCameSince() {
        add(bytes("later"));
        input.prepend(bytes("again "));
        assertThat(waiting()).isEqualTo("again later");
        input.dropRead();
        assertThat(waiting()).isEqualTo("again later");
    }

    @Test
    void whatHasBeenReadIsGivenBackAtOnce() {
        ByteBuf read = bytes("abc");
        add(read);
        read.skipBytes(3);
        input.dropRead();
        assertThat(read.refCnt()).isZero();
        assertThat(input.bytes()).isNull();
        assertThat(input.readable()).isZero();
        input.prepend(bytes("again"));
        assertThat(waiting()).isEqualTo("again");
    }

    @Test
    void moreInPlaceOfWhatHasBeenReadIsNotCopied() {
        ByteBuf read = bytes("abc");
        add(read);
        read.skipBytes(3);
        ByteBuf more = bytes("de");
        add(more);
        assertThat(read.refCnt()).isZero();
        assertThat(input.bytes()).isSameAs(more);
        input.release();
        input.release();
        assertThat(more.refCnt()).isZero();
    }
}
