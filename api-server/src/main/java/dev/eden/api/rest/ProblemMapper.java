package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.ws.rs.NotAcceptableException;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.NotSupportedException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every exception becomes a problem document; what nobody expected becomes an incident number, its cause goes to the log only. */
final class ProblemMapper implements ExceptionMapper<Throwable> {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProblemMapper.class);

    @Override
    public Response toResponse(Throwable failure) {
        Problem problem = problem(failure);
        Response.ResponseBuilder builder = Response.status(problem.code().status())
                .type(ProblemDocument.MEDIA_TYPE)
                .entity(ProblemDocument.of(problem));
        if (problem.code() == ErrorCode.UNAUTHENTICATED) {
            builder.header(HttpHeaders.WWW_AUTHENTICATE, "Bearer realm=\"eden\"");
        }
        Object retryAfter = problem.extensions().get("retry_after");
        if (retryAfter != null) {
            builder.header(HttpHeaders.RETRY_AFTER, retryAfter);
        }
        if (failure instanceof NotAllowedException notAllowed) {
            builder.header(HttpHeaders.ALLOW, notAllowed.getResponse().getHeaderString(HttpHeaders.ALLOW));
        }
        return builder.build();
    }

    private static Problem problem(Throwable failure) {
        return switch (failure) {
            case Problem problem -> problem;
            case NotFoundException _ -> new Problem(ErrorCode.PATH_NOT_FOUND, "nothing is at this path");
            case NotAllowedException _ ->
                new Problem(ErrorCode.METHOD_NOT_ALLOWED, "the path does not know this method");
            case NotSupportedException _ ->
                new Problem(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
            case NotAcceptableException _ -> new Problem(ErrorCode.NOT_ACCEPTABLE, "the answer would be JSON");
            case WebApplicationException web
            when web.getResponse().getStatus() < 500 ->
                new Problem(ErrorCode.BAD_REQUEST, "the request can't be understood");
            default -> unexpected(failure);
        };
    }

    private static Problem unexpected(Throwable failure) {
        if (storeIsAway(failure)) {
            LOGGER.atWarn()
                    .addKeyValue("error", failure.getClass().getSimpleName())
                    .log("the store does not answer");
            return new Problem(ErrorCode.STORE_UNAVAILABLE, "Eden's store does not answer");
        }
        String incident = UUID.randomUUID().toString();
        LOGGER.atError().addKeyValue("incident", incident).setCause(failure).log("a request failed");
        return new Problem(ErrorCode.INTERNAL, "the request failed: incident " + incident).with("incident", incident);
    }

    /** Connection failures (SQLSTATE class 08), shutdown (57P01-57P03), no free connection. */
    static boolean storeIsAway(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLTransientException) {
                return true;
            }
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                return sql.getSQLState().startsWith("08") || sql.getSQLState().startsWith("57P0");
            }
        }
        return false;
    }
}
