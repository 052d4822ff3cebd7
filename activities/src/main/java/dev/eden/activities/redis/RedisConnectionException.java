package dev.eden.activities.redis;

/** The connection broke or could not be made; whatever was sent and not answered is in doubt. */
public class RedisConnectionException extends RuntimeException {
    public RedisConnectionException(String message, @org.jspecify.annotations.Nullable Throwable cause) {
        super(message, cause);
    }
}
