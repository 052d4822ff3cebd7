package dev.eden.api.notify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.store.AuditLog;
import dev.eden.api.temporal.WebUi;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What is sent, made of an entry of the audit log alone: that shows no secrets, and the same entry is the same text whoever sends it. */
final class Notification {
    static final String TEST = "test";

    private static final int LONGEST_REASON = 2_000;

    private final String base;
    private final @Nullable WebUi ui;

    /**
     * @param publicUrl base URI of the API as people reach it; null: links are paths
     * @param ui Temporal's pages; null: there are none
     */
    Notification(@Nullable String publicUrl, @Nullable WebUi ui) {
        this.base = publicUrl == null ? "" : publicUrl.replaceAll("/+$", "");
        this.ui = ui;
    }

    String of(AuditLog.Event event, NotificationKind kind) {
        String migration = String.valueOf(event.migration());
        String reason = shortened(event.reason());
        ObjectNode body = Json.mapper().createObjectNode();
        body.put("key", event.hash());
        body.put("id", event.id());
        body.put("time", event.at());
        body.put("migration", migration);
        body.put("kind", kind.label());
        body.put("event", event.event());
        body.put("phase", event.phase());
        body.put("actor", event.actor());
        body.put("reason", reason);
        body.put(
                "text",
                "migration " + migration + " (" + event.phase() + "): " + kind.meaning()
                        + (reason.isEmpty() ? "" : ": " + reason));
        Runbook.of(kind, event.event(), event.reason()).ifPresent(runbook -> {
            body.put("code", runbook.code());
            body.put("runbook", runbook.link());
        });
        JsonNode view = event.after();
        if (view != null && view.path("allowed_commands").isArray()) {
            body.set("allowed", view.path("allowed_commands"));
        }
        String self = base + "/api/v1/migrations/" + migration;
        ObjectNode links = body.putObject("links")
                .put("self", self)
                .put("status", self + "/status")
                .put("events", self + "/events")
                .put("report", self + "/report");
        if (ui != null) {
            links.put("temporal_ui", ui.workflow(migration));
        }
        return body.toString();
    }

    /** Of no migration: somebody tries whether a receiver hears. */
    String test(String receiver, String actor) {
        return Json.mapper()
                .createObjectNode()
                .put("key", UUID.randomUUID().toString())
                .put("id", 0)
                .put("time", Instant.now().toString())
                .put("kind", TEST)
                .put("actor", actor)
                .put("text", actor + " tries whether receiver " + receiver + " hears of migrations")
                .toString();
    }

    private static String shortened(String reason) {
        return reason.length() <= LONGEST_REASON ? reason : reason.substring(0, LONGEST_REASON - 1) + "…";
    }
}
