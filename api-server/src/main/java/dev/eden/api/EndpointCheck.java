package dev.eden.api;

import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.preflight.PostgresCheck;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.preflight.RedisCheck;
import dev.eden.activities.store.Endpoint;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;

/** What {@code POST /endpoints/{id}/check} answers, for either engine. */
final class EndpointCheck {
    private EndpointCheck() {}

    /** Connects now. Throws {@link Problem} when the database can't be reached or refuses; the answer never repeats a credential. */
    static Object of(Endpoint endpoint) {
        try {
            return endpoint.engine().equals("postgres")
                    ? new PostgresCheck().check(endpoint)
                    : new RedisCheck().check(endpoint);
        } catch (RedisConnectionException e) {
            throw unreachable(endpoint);
        } catch (RedisException e) {
            throw new Problem(
                    switch (e.code()) {
                        case "WRONGPASS", "NOAUTH" -> ErrorCode.ENDPOINT_LOGIN_REFUSED;
                        default -> ErrorCode.ENDPOINT_UNREACHABLE;
                    },
                    "endpoint " + endpoint.id() + " refuses: " + e.code());
        } catch (PostgresException e) {
            ErrorCode code = code(e.sqlState(), endpoint.tls());
            throw e instanceof PostgresConnectionException && code == ErrorCode.ENDPOINT_UNREACHABLE
                    ? unreachable(endpoint)
                    : new Problem(code, "endpoint " + endpoint.id() + " refuses: SQLSTATE " + e.sqlState());
        }
    }

    private static Problem unreachable(Endpoint endpoint) {
        return new Problem(ErrorCode.ENDPOINT_UNREACHABLE, "endpoint " + endpoint.id() + " can't be reached");
    }

    /** The server's own words would say more, addresses among it. */
    private static ErrorCode code(String sqlState, boolean tls) {
        return switch (sqlState) {
            case "28000" -> tls ? ErrorCode.ENDPOINT_NOT_ADMITTED : ErrorCode.ENDPOINT_PLAIN_REFUSED;
            case "28P01" -> ErrorCode.ENDPOINT_LOGIN_REFUSED;
            case "3D000" -> ErrorCode.ENDPOINT_DATABASE_MISSING;
            case "53300" -> ErrorCode.ENDPOINT_FULL;
            default -> ErrorCode.ENDPOINT_UNREACHABLE;
        };
    }
}
