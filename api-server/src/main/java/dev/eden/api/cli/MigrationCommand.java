package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden migration …}: what migrations are, where they stand. The commands that move one: {@link OperatorCommands}. */
@Command(
        mixinStandardHelpOptions = true,
        name = "migration",
        description = "Creates, plans, starts, watches and commands migrations.",
        subcommands = {
            WatchCommand.class,
            SetCommand.class,
            TuneCommand.class,
            RehearseCommand.class,
            ReportCommand.class
        },
        footer = {
            "",
            "A migration from its beginning to its end (cutover, rollback, finalize and abort ask first; a script says --yes):",
            "  eden migration create migration.json",
            "  eden migration add-interlay ec2_to_azure redis_interlay azure_redis",
            "  eden migration plan ec2_to_azure",
            "  eden migration migrate ec2_to_azure",
            "  eden migration watch ec2_to_azure --until canary",
            "  eden migration set ec2_to_azure read_percentage=25%%",
            "  eden migration rehearse ec2_to_azure",
            "  eden migration cutover ec2_to_azure",
            "  eden migration finalize ec2_to_azure        (or, to take it back: rollback)",
            "  eden migration report ec2_to_azure"
        })
final class MigrationCommand extends OperatorCommands {
    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "Migrations and their phases.",
            footer = {"", "Example:", "  eden migration list --phase canary --label team=cache"})
    int list(
            @Mixin ApiOptions api,
            @Option(names = "--phase", paramLabel = "PHASE", description = "only those in it, such as canary or baking")
                    @Nullable
                    String phase,
            @Option(names = "--label", paramLabel = "NAME=VALUE", description = "only those with it") @Nullable
                    String label,
            @Option(names = "--after", paramLabel = "ID", description = "those after that one") @Nullable String after,
            @Option(names = "--limit", paramLabel = "N", description = "at most that many (default: all)") @Nullable
                    Integer limit) {
        if (phase != null) {
            PhaseNames.require("--phase", phase);
        }
        StringBuilder filters = new StringBuilder();
        parameter(filters, "phase", phase);
        parameter(filters, "label", label);
        JsonNode answer = list(api, "/migrations", filters, after, limit, "migrations");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("ID", "id");
        columns.put("PHASE", "phase");
        columns.put("ENGINE", "engine");
        columns.put("SOURCE", "source_endpoint");
        columns.put("TARGET", "target_endpoint");
        columns.put("UPDATED", "updated_at");
        JsonNode found = answer.path("migrations");
        String more = answer.path("next").asText("");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(found, columns), "There are no such migrations."),
                answer.path("next").isTextual()
                        ? page("eden migration list", phase, label, limit) + " --after " + more
                        : found.isEmpty()
                                ? "eden migration create FILE"
                                : NextCommand.command(
                                        "status", found.path(0).path("id").asText()));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "create",
            description = "Creates a migration from a JSON file (- is standard input); starts nothing.",
            footer = {
                "",
                "The least a file has:",
                "  {\"id\": \"ec2_to_azure\", \"description\": \"to Azure\",",
                "   \"strategy\": {\"type\": \"canary\", \"read_percentage\": 0.05}}",
                "The copy's tuning is none of the file's: eden migration tune ID, before the start, too.",
                "",
                "Examples:",
                "  eden migration create migration.json",
                "  eden migration create - < migration.json"
            })
    int create(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "FILE") String file,
            @Option(
                            names = "--notify",
                            paramLabel = "RECEIVER",
                            split = ",",
                            description =
                                    "who is told of it, with commas between them (eden notify list); instead of the file's")
                    @Nullable
                    List<String> receivers,
            @Option(
                            names = "--notify-on",
                            paramLabel = "KIND",
                            split = ",",
                            description =
                                    "of what, such as needs_operator,completed (docs/guide/notifications.md; default: of most)")
                    @Nullable
                    List<String> kinds) {
        String body = read(file);
        if (receivers == null && kinds == null) {
            return status(api, api.client().post("/migrations", body));
        }
        if (receivers == null) {
            throw new CliFailure(ExitCode.USAGE, "--notify-on says of what, and nobody is named", "add --notify");
        }
        ObjectNode asked = object(file, body);
        ObjectNode notify = asked.putObject("notify");
        notify.set("receivers", Json.mapper().valueToTree(receivers));
        if (kinds != null) {
            notify.set("on", Json.mapper().valueToTree(kinds));
        }
        return status(api, api.client().post("/migrations", asked.toString()));
    }

    private static ObjectNode object(String file, String body) {
        try {
            if (Json.mapper().readTree(body) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            // Said below: where it is wrong, the server says of a file that is sent as it is.
        }
        throw new CliFailure(ExitCode.USAGE, "the file " + file + " is not one JSON object", "correct it");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "add-interlay",
            description = "Adds an interlay to move; its endpoint is the source.",
            footer = {"", "Example:", "  eden migration add-interlay ec2_to_azure redis_interlay azure_redis"})
    int addInterlay(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "INTERLAY") String interlay,
            @Parameters(paramLabel = "TARGET", description = "the endpoint it moves to") String target) {
        return status(
                api,
                api.client()
                        .post(
                                ApiClient.path("migrations", id, "interlay", interlay),
                                Json.write(Map.of("endpoint", target))));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "plan",
            description =
                    "What stands in the way, with remedies, and what migrate would do; changes nothing. Exit code 8 for failures.",
            footer = {"", "Examples:", "  eden migration plan ec2_to_azure", "  eden migration plan ec2_to_azure --json"
            })
    int plan(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode plan = api.client().get(ApiClient.path("migrations", id, "plan"));
        int shown = api.show(plan, page -> PlanText.print(plan, page), PlanText.next(plan));
        return PlanText.failures(plan) > 0 ? ExitCode.ENDED_BADLY.code() : shown;
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "status",
            description = "Where it stands, why it can't be cut over yet, what comes next.",
            footer = {"", "Example:", "  eden migration status ec2_to_azure"})
    int status(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        return status(api, api.client().get(ApiClient.path("migrations", id, "status")));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "events",
            description = "Its audit log: who did what, when and why.",
            footer = {
                "",
                "Examples:",
                "  eden migration events ec2_to_azure --limit 20",
                "  eden migration events ec2_to_azure --follow"
            })
    int events(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--follow", description = "goes on until the migration has ended") boolean follow,
            @Option(names = "--after", paramLabel = "EVENT", description = "those after that one") @Nullable
                    String after,
            @Option(names = "--limit", paramLabel = "N", description = "at most that many (default: all)") @Nullable
                    Integer limit) {
        String path = ApiClient.path("migrations", id, "events");
        if (follow) {
            new EventFollower(api.client(), api.terminal(), EventFollower.PATIENCE, after).follow(path, event -> {
                api.terminal().out().println(api.json() ? event.toString() : line(event));
                api.terminal().flush();
            });
            return ExitCode.DONE.code();
        }
        JsonNode answer = list(api, path, new StringBuilder(), after, limit, "events");
        return api.show(
                answer,
                page -> answer.path("events").forEach(event -> page.line(line(event))),
                answer.path("next").isNumber()
                        ? page(NextCommand.command("events", id), null, null, limit) + " --after "
                                + answer.path("next").asLong()
                        : NextCommand.command("status", id));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "validation",
            description = "The last comparison: checks, differences, repairs.",
            footer = {"", "Example:", "  eden migration validation ec2_to_azure"})
    int validation(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode report = api.client().get(ApiClient.path("migrations", id, "validation"));
        return api.show(report, page -> ValidationText.print(report, page), NextCommand.command("status", id));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "delete",
            description = {
                "Forgets a migration that was never started; with the role admin also one that has ended, with its reports and attempts.",
                "The audit log keeps what it was. Of one that has ended it asks first; a script says --yes."
            },
            footer = {
                "",
                "Examples:",
                "  eden migration delete never_started",
                "  eden migration delete long_finished --yes"
            })
    int delete(@Mixin ApiOptions api, @Mixin Confirmation confirmation, @Parameters(paramLabel = "ID") String id) {
        JsonNode status = api.client().get(ApiClient.path("migrations", id, "status"));
        if (status.path("ended_at").isTextual()) {
            confirmation.ask(
                    api,
                    "Delete forgets " + id + ", which has ended ("
                            + status.path("phase").asText() + "), its report, validation and attempts",
                    id);
        }
        JsonNode answer = api.client().call("DELETE", ApiClient.path("migrations", id), null);
        return api.show(answer, page -> page.line("migration " + id + " is forgotten"), "eden migration list");
    }

    static String line(JsonNode event) {
        String reason = ApiOptions.line(event.path("reason").asText(""));
        return String.format(
                "%-24s  %-14s  %-26s  %s%s",
                event.path("at").asText(),
                event.path("phase").asText(""),
                event.path("event").asText(),
                ApiOptions.line(event.path("actor").asText()),
                reason.isEmpty() ? "" : "  " + reason);
    }

    /** All of it, or with {@code --limit} one page. */
    static JsonNode list(
            ApiOptions api,
            String path,
            StringBuilder filters,
            @Nullable String after,
            @Nullable Integer limit,
            String member) {
        if (limit == null) {
            return api.client().list(path, filters.toString(), after, member);
        }
        StringBuilder query = new StringBuilder(filters);
        parameter(query, "after", after);
        parameter(query, "limit", limit.toString());
        return api.client().get(path + query);
    }

    /** The command of the page that follows one which was asked for with these. */
    private static String page(
            String command, @Nullable String phase, @Nullable String label, @Nullable Integer limit) {
        return command
                + (phase == null ? "" : " --phase " + phase)
                + (label == null ? "" : " --label '" + label + "'")
                + (limit == null ? "" : " --limit " + limit);
    }

    static void parameter(StringBuilder query, String name, @Nullable String value) {
        if (value != null) {
            query.append(query.isEmpty() ? '?' : '&')
                    .append(name)
                    .append('=')
                    .append(java.net.URLEncoder.encode(value, StandardCharsets.UTF_8));
        }
    }

    static String read(String file) {
        try {
            return file.equals("-")
                    ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                    : Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new CliFailure(ExitCode.USAGE, "the file " + file + " can't be read", "name a readable JSON file");
        }
    }
}
