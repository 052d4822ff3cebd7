package dev.eden.activities.redis;

/** A server answered with an error; {@link #getMessage()} is the server's own text. The connection is still good. */
public class RedisException extends RuntimeException {
    public RedisException(String message) {
        super(withoutArguments(message));
    }

    /** A server that does not know a command repeats the arguments it was given: keys and values. */
    public static String withoutArguments(String message) {
        int arguments = message.indexOf(", with args beginning with");
        return arguments < 0 ? message : message.substring(0, arguments);
    }

    /** The first word of the server's answer. */
    public String code() {
        String message = String.valueOf(getMessage());
        int space = message.indexOf(' ');
        return space < 0 ? message : message.substring(0, space);
    }
}
