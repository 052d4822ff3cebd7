package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code eden audit …}: whether the log of who did what is whole. A migration's entries: {@code eden migration events}. */
@Command(
        name = "audit",
        description = "The audit log's chain of hashes.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  eden audit verify || echo 'somebody has changed the audit log'"})
final class AuditCommand extends Group {
    @Command(
            name = "verify",
            description = "Walks the whole log; exit code 8 where an entry is not as it was written.",
            mixinStandardHelpOptions = true)
    int verify(@Mixin ApiOptions api) {
        JsonNode found = api.client().get("/audit/verify");
        int shown = api.show(found, page -> page.members(found), "eden migration list");
        return found.path("intact").asBoolean() ? shown : ExitCode.ENDED_BADLY.code();
    }
}
