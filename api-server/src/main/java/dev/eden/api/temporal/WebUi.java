package dev.eden.api.temporal;

import dev.eden.workflows.MigrationWorkflow;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Temporal's Web UI, to be linked to. */
public record WebUi(String base, String namespace) {

    /** {@code base} null: there is none. */
    public static @Nullable WebUi of(@Nullable String base, String namespace) {
        return base == null ? null : new WebUi(base.replaceAll("/+$", ""), namespace);
    }

    /** The page of a migration's workflow. */
    public String workflow(String migration) {
        return base + "/namespaces/" + namespace + "/workflows/"
                + URLEncoder.encode(MigrationWorkflow.workflowId(migration), StandardCharsets.UTF_8);
    }
}
