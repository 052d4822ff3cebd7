package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TerminalTest {
    @Test
    void aLineStaysOneLineOnANarrowTerminal() {
        Terminal narrow = new Terminal(true, true, 10);

        String fitted = narrow.fit(narrow.bold("123456") + "7890123");

        assertThat(fitted).isEqualTo("\u001b[1m123456\u001b[0m789");
    }

    @Test
    void withoutColourThereAreNoEscapes() {
        Terminal plain = new Terminal(true, false, 80);

        assertThat(plain.bold("a") + plain.red("b") + plain.green("c")).isEqualTo("abc");
    }
}
