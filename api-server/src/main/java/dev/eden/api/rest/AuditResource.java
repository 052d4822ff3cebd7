package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.store.AuditChain;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The audit log of everything, and whether it is as it was written. A migration's own entries: {@link MigrationEventsResource}. */
@Path("/api/v1/audit")
@Produces(MediaType.APPLICATION_JSON)
public final class AuditResource {
    private final AuditChain chain;
    private final AuditLog audit;

    public AuditResource(AuditChain chain, AuditLog audit) {
        this.chain = chain;
        this.audit = audit;
    }

    @GET
    @Allow(Role.ADMIN)
    @Answers(problems = ErrorCode.INVALID_PARAMETER)
    public Map<String, @Nullable Object> list(
            @QueryParam("subject") @Nullable String subject,
            @QueryParam("after") @Nullable String after,
            @QueryParam("limit") @Nullable String limit) {
        long from = MigrationEventsResource.position("after", after);
        return Listing.of("entries", limit, count -> audit.entries(subject, from, count), AuditLog.Event::id);
    }

    /** Reads the whole log: seconds for a million entries. */
    @GET
    @Path("verify")
    @Allow(Role.VIEWER)
    @Answers
    public AuditChain.Verification verify() {
        return chain.verify();
    }
}
