package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplyScannerTest {

    @ParameterizedTest
    @ValueSource(strings = {":0 ", ":-1 ", "$-1 ", "*-1 ", "*0 ", "*2 :-1 :-1 ", "*1 :0 "})
    void repliesOfACommandThatDidNothing(String reply) throws IOException {
        assertThat(withoutEffect(reply)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {":1 ", "+OK ", "$1 a ", "*2 :-1 :1 ", "*1 $-1 ", "*2 *1 :0 :1 ", "*2 $1 k *1 :0 "})
    void repliesOfACommandThatDidSomething(String reply) throws IOException {
        assertThat(withoutEffect(reply)).isFalse();
    }

    private static boolean withoutEffect(String reply) throws IOException {
        ReplyScanner scanner = new ReplyScanner(
                new ByteArrayInputStream(reply.replace(" ", "\r\n").getBytes(StandardCharsets.US_ASCII)));
        scanner.skip();
        return scanner.isWithoutEffect();
    }
}
