package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WrappedTest {
    @Test
    void whatHasRoomStaysAsItIs() {
        String line = "x".repeat(80);
        assertThat(Wrapped.lines(line, 11)).containsExactly(line);
        assertThat(Wrapped.lines("", 11)).containsExactly("");
    }

    @Test
    void theRestIsIndentedUnderTheFirstLine() {
        String label = Page.labelled("phase", "", false);
        assertThat(Wrapped.lines(label + "a".repeat(68) + " " + "b".repeat(69) + " c", 11))
                .containsExactly(label + "a".repeat(68), " ".repeat(11) + "b".repeat(69), " ".repeat(11) + "c");
    }

    @Test
    void aWordWithoutRoomIsCutAndNotPutUnderItsOwnLabel() {
        String label = Page.labelled("next", "", false);
        assertThat(Wrapped.lines(label + "w".repeat(100), 11))
                .containsExactly(label + "w".repeat(69), " ".repeat(11) + "w".repeat(31));
    }

    @Test
    void coloursTakeNoRoom() {
        String line = Style.RED.of("x".repeat(80), true);
        assertThat(Wrapped.lines(line, 11)).containsExactly(line);
    }
}
