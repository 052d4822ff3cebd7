package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.xml.XMLConstants;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.SchemaFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.SAXException;

/** The bill of materials ({@code -Psbom}; CI's build makes it) is one by CycloneDX's own schemas, and names what ends up in the image. */
class SbomTest {
    private static final String JSON = "target/eden-sbom.json";
    private static final String XML = "target/eden-sbom.xml";
    private static final String PLACE = "http://cyclonedx.org/schema/";

    @BeforeAll
    static void made() {
        assumeTrue(
                Files.exists(Project.ROOT.resolve(JSON)) && Files.exists(Project.ROOT.resolve(XML)),
                "SKIPPED: no bill of materials was made here (-Psbom)");
    }

    @Test
    void bothFormsAreValid() throws Exception {
        assertThat(problems(Project.text(JSON))).isEmpty();
        validate(Project.text(XML));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"bomFormat\" : \"CycloneDX\" | \"bomFormat\" : \"Cyclone\"",
                "\"type\" : \"library\"        | \"type\" : \"jar\"",
                "\"alg\" : \"SHA-256\"         | \"alg\" : \"SHA-42\"",
                "\"purl\" :                    | \"purls\" :",
                "\"name\" :                    | \"called\" :",
            })
    void whatIsNotValidIsSeen(String right, String wrong) {
        assertThat(Project.text(JSON)).contains(right);
        assertThat(problems(Project.text(JSON).replace(right, wrong))).isNotEmpty();
    }

    @Test
    void whatIsNotValidIsSeenInTheXmlToo() {
        String wrong = Project.text(XML).replace("type=\"library\"", "type=\"jar\"");
        assertThatThrownBy(() -> validate(wrong)).isInstanceOf(SAXException.class);
    }

    @Test
    void itNamesWhatTheImageHasAndNothingOfTheTests() {
        JsonNode sbom = Json.tree(Project.text(JSON));
        List<JsonNode> components = StreamSupport.stream(sbom.path("components").spliterator(), false)
                .toList();
        assertThat(components).hasSizeGreaterThan(50).allSatisfy(component -> {
            assertThat(component.path("purl").asText()).startsWith("pkg:maven/").contains("@");
            assertThat(component.path("version").asText()).isNotEmpty();
        });
        Set<String> names = components.stream()
                .map(component -> component.path("name").asText())
                .collect(Collectors.toSet());
        assertThat(names)
                .contains("netty-buffer", "temporal-sdk", "postgresql", "eden-proxy", "eden-workflows")
                .doesNotContain("assertj-core", "archunit", "temporal-testing", "junit-jupiter");
    }

    private static List<String> problems(String json) {
        Map<String, String> known = new HashMap<>();
        for (String name : List.of("bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json")) {
            known.put(PLACE + name, resource(name));
        }
        Schema schema = SchemaRegistry.withDefaultDialect(
                        SpecificationVersion.DRAFT_7, registry -> registry.schemas(known))
                .getSchema(SchemaLocation.of(PLACE + "bom-1.6.schema.json"));
        return schema.validate(json, InputFormat.JSON).stream()
                .map(Object::toString)
                .toList();
    }

    private static void validate(String xml) throws SAXException, IOException {
        SchemaFactory factory = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI);
        factory.setProperty(XMLConstants.ACCESS_EXTERNAL_DTD, "");
        factory.newSchema(new StreamSource[] {source("spdx.xsd"), source("bom-1.6.xsd")})
                .newValidator()
                .validate(new StreamSource(new StringReader(xml)));
    }

    private static StreamSource source(String name) {
        // The one names the other by its address: it is given before, and nothing is fetched.
        return new StreamSource(new StringReader(
                resource(name).replaceFirst("schemaLocation=\"http://cyclonedx.org/schema/spdx\"", "")));
    }

    private static String resource(String name) {
        try (InputStream stream = Objects.requireNonNull(SbomTest.class.getResourceAsStream("/" + name), name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
