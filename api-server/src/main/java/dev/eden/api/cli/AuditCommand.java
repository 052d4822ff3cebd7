package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code eden audit …}: who did what to anything, and whether the log of it is whole. A migration's entries alone: {@code eden migration events}. */
@Command(
        name = "audit",
        description = "The audit log: who did what, and whether it is as it was written.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  eden audit list --subject endpoint/ec2_redis",
            "  eden audit list --subject token/ --limit 100",
            "  eden audit verify || echo 'somebody has changed the audit log'"
        })
final class AuditCommand extends Group {
    @Command(
            name = "list",
            description =
                    "Entries of everything, oldest first: tokens, endpoints, interlays, proxies, keys, migrations that are forgotten too. Needs the role admin.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Examples:",
                "  eden audit list --subject proxy/redis_interlay:pod-17",
                "  eden audit list --after 4711 --limit 20"
            })
    int list(
            @Mixin ApiOptions api,
            @Option(
                            names = "--subject",
                            paramLabel = "SUBJECT",
                            description =
                                    "only those of it, such as proxy/redis_interlay:pod-17; of all of a kind: token/")
                    @Nullable
                    String subject,
            @Option(names = "--after", paramLabel = "ENTRY", description = "those after that one") @Nullable
                    String after,
            @Option(names = "--limit", paramLabel = "N", description = "at most that many (default: all)") @Nullable
                    Integer limit) {
        StringBuilder filters = new StringBuilder();
        MigrationCommand.parameter(filters, "subject", subject);
        JsonNode answer = MigrationCommand.list(api, "/audit", filters, after, limit, "entries");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("ENTRY", "id");
        columns.put("AT", "at");
        columns.put("EVENT", "event");
        columns.put("SUBJECT", "subject");
        columns.put("ACTOR", "actor");
        columns.put("REASON", "reason");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(answer.path("entries"), columns), "There are no such entries."),
                answer.path("next").isNumber()
                        ? "eden audit list" + (subject == null ? "" : " --subject '" + subject + "'")
                                + (limit == null ? "" : " --limit " + limit) + " --after "
                                + answer.path("next").asLong()
                        : "eden audit verify");
    }

    @Command(
            name = "verify",
            description = "Walks the whole log; exit code 8 where an entry is not as it was written.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  eden audit verify --json"})
    int verify(@Mixin ApiOptions api) {
        JsonNode found = api.client().get("/audit/verify");
        boolean intact = found.path("intact").asBoolean();
        int shown = api.show(found, page -> page.members(found), intact ? "eden migration list" : from(found));
        return intact ? shown : ExitCode.ENDED_BADLY.code();
    }

    /** The entry that is not as it was written, and what came after it. */
    private static String from(JsonNode broken) {
        return "eden audit list --after " + Math.max(0, broken.path("broken_at").asLong() - 1) + " --limit 20";
    }
}
