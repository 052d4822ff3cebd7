package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.ForceOpenOrder;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.json.Json;
import dev.eden.api.store.EncryptionKey;
import dev.eden.api.store.SecretCipher;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden interlay force-open}: the one order that proxies take without Eden's store, from who holds Eden's encryption key. */
@Command(
        mixinStandardHelpOptions = true,
        name = "force-open",
        description = {
            "Opens proxies that hold requests because Eden's store went away in the middle of an attempt.",
            "You say who owns the writes: a wrong word means two owners and lost writes. Stop every 'eden server' first;",
            "docs/operating.md says how to find out who owns them, and what has to be undone on the servers."
        },
        footer = {
            "",
            "Example (one --proxy for each of them):",
            "  eden interlay force-open cache --owner ec2_redis --reason 'store lost' --proxy http://10.0.0.5:9100"
        })
final class ForceOpenCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "INTERLAY")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String interlay;

    @Option(
            names = "--owner",
            required = true,
            paramLabel = "ENDPOINT",
            description = "the endpoint that owns the writes: the source, unless the attempt was committed")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String owner;

    @Option(
            names = "--reason",
            required = true,
            description = "for the audit log, which gets it when the store is back")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String reason;

    @Option(
            names = "--proxy",
            required = true,
            paramLabel = "URL",
            description = "where a proxy (or a server with one) serves its metrics; once for each of them")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private List<URI> proxies;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "holds Eden's encryption key (EDEN_DATA_DIR), where EDEN_ENCRYPTION_KEY does not give it")
    private @Nullable String dataDirectory;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "of a server or proxy: says where the key is (EDEN_CONFIG)")
    private @Nullable Path file;

    @Option(names = "--json", description = "prints one JSON document and nothing else")
    private boolean json;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Confirmation confirmation;

    ForceOpenCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        SecretCipher cipher = new SecretCipher(key());
        confirmation.ask(
                terminal,
                "Proxies of " + interlay + " are to send every write to " + owner
                        + ". If the other side owns the writes, or an 'eden server' still runs the attempt, writes are lost",
                owner);
        ArrayNode answers = Json.mapper().createArrayNode();
        boolean all = true;
        try (HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            for (URI proxy : proxies) {
                ForceOpenOrder order = new ForceOpenOrder(interlay, owner, actor(), reason, Instant.now());
                ObjectNode answer = ask(http, proxy, order.seal(cipher));
                all &= answer.path("outcome").asText().equals("opened");
                answers.add(answer);
            }
        }
        show(answers);
        return all ? ExitCode.DONE.code() : ExitCode.REFUSED.code();
    }

    private ObjectNode ask(HttpClient http, URI proxy, String sealed) {
        ObjectNode answer = Json.mapper().createObjectNode().put("proxy", proxy.toString());
        try {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(
                                    URI.create(proxy.getScheme() + "://" + proxy.getAuthority() + ForceOpenOrder.PATH))
                            .timeout(Duration.ofSeconds(40))
                            .POST(HttpRequest.BodyPublishers.ofString(sealed))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            // The order goes on to the next proxy whatever answers here.
            ObjectNode said = outcome(response.body());
            if (said == null) {
                answer.put("outcome", "unreachable").put("detail", "what answers there is no proxy of Eden's");
            } else {
                answer.setAll(said);
            }
        } catch (IOException | IllegalArgumentException e) {
            answer.put("outcome", "unreachable").put("detail", "no proxy of Eden's answers there");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliFailure(ExitCode.INTERRUPTED, "interrupted", "see each proxy's /health for what it does now");
        }
        return answer;
    }

    private static @Nullable ObjectNode outcome(String body) {
        try {
            return Json.mapper().readTree(body) instanceof ObjectNode said
                            && said.path("outcome").isTextual()
                    ? said
                    : null;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private void show(ArrayNode answers) {
        if (json) {
            terminal.out()
                    .println(Json.mapper()
                            .createObjectNode()
                            .put("interlay", interlay)
                            .put("owner", owner)
                            .set("proxies", answers)
                            .toPrettyString());
        } else {
            Page page = new Page(terminal);
            Table table = Table.of("PROXY", "OUTCOME", "MEANING");
            answers.forEach(answer -> table.row(
                    answer.path("proxy").asText(),
                    answer.path("outcome").asText(),
                    answer.path("detail").asText()));
            page.table(table, "No proxy was named.");
            page.next("curl " + proxies.getFirst() + "/health");
        }
        terminal.out().flush();
    }

    private List<byte[]> key() {
        Map<Setting, String> flags = dataDirectory == null ? Map.of() : Map.of(Setting.DATA_DIR, dataDirectory);
        Configuration configuration = Configuration.load(
                Setting.Verb.PROXY,
                flags,
                terminal.environment(),
                file == null ? SettingOptions.named(terminal) : file);
        Secret given = SettingOptions.secret(configuration, Setting.ENCRYPTION_KEY);
        return EncryptionKey.load(
                given == null ? null : given.reveal(), SettingOptions.dataDirectory(configuration), false);
    }

    private String actor() {
        String user = terminal.variable("USER");
        return user == null ? "operator" : "operator " + user;
    }
}
