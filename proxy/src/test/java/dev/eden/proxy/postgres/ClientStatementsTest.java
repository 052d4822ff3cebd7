package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ClientStatementsTest {
    private final ClientStatements statements = new ClientStatements(new Prepared.Catalogue(), 3, 100);

    private ClientStatements.Entry parse(String name, int length) {
        ByteBuf body = Unpooled.copiedBuffer("x".repeat(length), StandardCharsets.UTF_8);
        return statements.parse(name, body, 0, length);
    }

    @Test
    void takesSoManyAndNoMore() {
        parse("a", 10);
        parse("b", 10);
        assertThat(statements.refusal(10)).isNull();
        parse("c", 10);
        assertThat(statements.refusal(10)).isNotNull();
        statements.close("a");
        assertThat(statements.refusal(10)).isNull();
        statements.clear();
        assertThat(statements.refusal(100)).isNull();
    }

    @Test
    void takesSoManyBytesAndNoMore() {
        parse("a", 60);
        assertThat(statements.refusal(40)).isNull();
        assertThat(statements.refusal(41)).isNotNull();
        ClientStatements.Entry skipped = parse("b", 40);
        assertThat(statements.refusal(1)).isNotNull();
        statements.skipped(skipped);
        assertThat(statements.refusal(40)).isNull();
        ClientStatements.Entry closed = statements.close("a");
        assertThat(statements.refusal(100)).isNull();
        assertThat(closed).isNotNull();
    }

    /** An error in front of it skips a Close. */
    @Test
    void countsWhatComesBack() {
        ClientStatements.Entry entry = parse("a", 60);
        entry.confirm();
        statements.close("a");
        statements.skipped(entry);
        assertThat(statements.refusal(40)).isNull();
        assertThat(statements.refusal(41)).isNotNull();
    }
}
