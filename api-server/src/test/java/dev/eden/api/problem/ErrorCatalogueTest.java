package dev.eden.api.problem;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/errors.md is the catalogue, word for word; {@code -Deden.docs.write=true} writes it anew. */
class ErrorCatalogueTest {
    private static final Path FILE = Path.of("..", "docs", "errors.md");
    private static final String HEAD = """
            # Errors

            Every answer from 400 up is a problem document (RFC 9457, `application/problem+json`):

            ```json
            {
              "type": "urn:eden:problem:endpoint-in-use",
              "title": "The endpoint is in use",
              "status": 409,
              "detail": "endpoint ec2_redis is used by interlay redis_interlay",
              "remedy": "Remove what uses it first.",
              "retry": "later"
            }
            ```

            `type` ends with the code, which stays as it is over versions: programs compare it. `title`, `detail` and `remedy` are for people. `retry` says
            whether the same request helps again: `never`, `soon` (within seconds; with the same `Idempotency-Key` it does nothing twice) or `later` (once
            something else has changed). Further members, by code: `errors` (a `pointer` and a `detail` for each wrong field or parameter), `allowed` (commands
            that would be taken now), `blockers` (what stands in the way), `findings` (of the preflight), `retry_after` (seconds, as the header of that name),
            `incident` (what to look for in the server's log). No member ever holds a secret, a statement or a stack trace.

            | code | status | cause | remedy | retry |
            |---|---|---|---|---|
            """;

    @Test
    void theFileIsTheCatalogue() throws IOException {
        String expected = HEAD
                + Arrays.stream(ErrorCode.values())
                        .map(code -> "| `" + code.slug() + "` | " + code.status() + " | " + code.cause() + " | "
                                + code.remedy() + " | " + code.retry().name().toLowerCase(java.util.Locale.ROOT)
                                + " |\n")
                        .collect(Collectors.joining());
        if (Boolean.getBoolean("eden.docs.write")) {
            Files.writeString(FILE, expected);
        }
        assertThat(Files.readString(FILE)).isEqualTo(expected);
    }

    @Test
    void theCommandLineIsToldOfCommands() {
        assertThat(ErrorCode.values())
                .allSatisfy(code -> assertThat(code.commandLineRemedy(UnaryOperator.identity()))
                        .doesNotContain(
                                "{",
                                "GET ",
                                "POST ",
                                "PUT ",
                                "/api/v1",
                                "Bearer",
                                "Retry-After",
                                "Idempotency-Key",
                                "force=true")
                        .endsWith("."));
        assertThat(ErrorCode.MIGRATION_NOT_FOUND.remedy()).isEqualTo("GET /api/v1/migrations lists them.");
        assertThat(ErrorCode.MIGRATION_NOT_FOUND.commandLineRemedy(UnaryOperator.identity()))
                .isEqualTo("eden migration list lists them.");
        assertThat(ErrorCode.of("migration-not-found")).contains(ErrorCode.MIGRATION_NOT_FOUND);
        assertThat(ErrorCode.of("of-another-version")).isEmpty();
    }

    @Test
    void everyCodeTellsWhatHappenedAndWhatToDo() {
        assertThat(ErrorCode.values()).allSatisfy(code -> {
            assertThat(code.status()).isBetween(400, 599);
            assertThat(code.title()).isNotBlank().doesNotEndWith(".");
            assertThat(code.cause()).endsWith(".");
            assertThat(code.remedy()).endsWith(".");
        });
        assertThat(Arrays.stream(ErrorCode.values()).map(ErrorCode::title)).doesNotHaveDuplicates();
    }
}
