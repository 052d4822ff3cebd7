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
        } catch (RedisConnectionException | PostgresConnectionException e) {
            throw new Problem(ErrorCode.ENDPOINT_UNREACHABLE, "endpoint " + endpoint.id() + " can't be reached");
        } catch (RedisException e) {
            throw new Problem(ErrorCode.ENDPOINT_UNREACHABLE, "endpoint " + endpoint.id() + " refuses: " + e.code());
        } catch (PostgresException e) {
            throw new Problem(
                    ErrorCode.ENDPOINT_UNREACHABLE, "endpoint " + endpoint.id() + " refuses: SQLSTATE " + e.sqlState());
        }
    }
}
