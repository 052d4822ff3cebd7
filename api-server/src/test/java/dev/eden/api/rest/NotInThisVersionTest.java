package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Project;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationDefinition;
import jakarta.ws.rs.container.ContainerRequestContext;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What docs/api.md says is described but refused, is refused. */
class NotInThisVersionTest {
    private static final String MIGRATION = "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\"}}";

    /** @param engine null: of both */
    record Row(String body, @Nullable String engine) {}

    static List<Row> rows() {
        String section = Project.text("docs/api.md")
                .split("(?m)^## Not in this version$")[1]
                .split("(?m)^## ")[0];
        return Pattern.compile("(?m)^\\| `(\\{[^`]+})`(?:, (Redis|PostgreSQL))? \\|")
                .matcher(section)
                .results()
                .map(row -> new Row(row.group(1), engine(row.group(2))))
                .toList();
    }

    private static @Nullable String engine(@Nullable String name) {
        return name == null ? null : name.equals("Redis") ? "redis" : "postgres";
    }

    @Test
    void theTableIsThere() {
        assertThat(rows()).hasSizeGreaterThan(7);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void isRefused(Row row) {
        ObjectNode said = (ObjectNode) Json.tree(row.body());
        if (said.has("tuning")) {
            MigrationDefinition plain =
                    MigrationRequests.create(bytes(MIGRATION), Set.of()).definition();
            assertThatThrownBy(() -> MigrationRequests.patch(bytes(row.body()), plain, row.engine()))
                    .isInstanceOf(Problem.class);
            return;
        }
        ObjectNode body = (ObjectNode) Json.tree(MIGRATION);
        said.properties().forEach(member -> {
            if (body.get(member.getKey()) instanceof ObjectNode object) {
                object.setAll((ObjectNode) member.getValue());
            } else {
                body.set(member.getKey(), member.getValue());
            }
        });
        String engine = row.engine();
        if (engine == null) {
            assertThatThrownBy(() -> MigrationRequests.create(bytes(body.toString()), Set.of()))
                    .isInstanceOf(Problem.class);
        } else {
            MigrationDefinition definition =
                    MigrationRequests.create(bytes(body.toString()), Set.of()).definition();
            assertThat(definition.unfit(engine)).isNotNull();
        }
    }

    @Test
    void aTokenIsMadeWithoutAKey() throws NoSuchMethodException {
        assertThat(TokenResource.class
                        .getMethod("create", byte[].class, ContainerRequestContext.class)
                        .isAnnotationPresent(NotKept.class))
                .isTrue();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
