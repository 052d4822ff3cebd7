package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** A search that can't find anything proves nothing. */
class SecretSearchTest {
    private static final String SECRET = "canary:of+a/test=40112";

    static List<String> forms() {
        return SecretSearch.forms(SECRET);
    }

    @ParameterizedTest
    @MethodSource("forms")
    void aLeakInAnyFormIsFound(String form) {
        assertThat(new SecretSearch()
                        .in("a log line", "before " + form + " after")
                        .leaks(List.of(SECRET)))
                .isNotEmpty()
                .allSatisfy(leak -> assertThat(leak).contains("a log line"));
        assertThat(new SecretSearch()
                        .in("a log line", "before " + form + " after")
                        .without("a log line", form)
                        .leaks(List.of(SECRET)))
                .isEmpty();
    }

    @Test
    void whatHangsOnALoggedThrowableIsFound() {
        class Carrier extends RuntimeException {
            private static final long serialVersionUID = 1L;
            private final transient Object carried;

            Carrier(Object carried) {
                super("nothing to see");
                this.carried = carried;
            }
        }
        record Login(char[] password) {}
        for (Object planted : new Object[] {
            SECRET,
            new Login(SECRET.toCharArray()),
            Map.of("password", List.of(SECRET)),
            new Object[] {SECRET.getBytes(java.nio.charset.StandardCharsets.UTF_8)},
            new IllegalStateException(SECRET)
        }) {
            RuntimeException outer = new RuntimeException("outer", new Carrier(planted));
            RuntimeException suppressing = new RuntimeException("suppressing");
            suppressing.addSuppressed(outer);
            try (LoggedLines logs = LoggedLines.open()) {
                LoggerFactory.getLogger("dev.eden.test")
                        .atDebug()
                        .setCause(suppressing)
                        .log("failed");
                assertThat(new SecretSearch()
                                .in("a throwable", logs.throwables())
                                .leaks(List.of(SECRET)))
                        .as(planted.getClass().getSimpleName())
                        .isNotEmpty();
            }
        }
    }
}
