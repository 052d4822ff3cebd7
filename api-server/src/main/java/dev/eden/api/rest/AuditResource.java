package dev.eden.api.rest;

import dev.eden.api.store.AuditChain;
import dev.eden.api.store.TokenStore.Role;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;

/** Whether the audit log is as it was written. */
@Path("/api/v1/audit")
@Produces(MediaType.APPLICATION_JSON)
public final class AuditResource {
    private final AuditChain chain;

    public AuditResource(AuditChain chain) {
        this.chain = chain;
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
