package dev.eden.activities.redis.validation;

/** What a comparison says about one key. */
sealed interface Verdict {

    record Equal() implements Verdict {}

    /** {@code kind}: missing, extra, type, value, ttl, field, order, encoding. {@code detail} tells no values. */
    record Different(String kind, String detail) implements Verdict {}

    /** The key moved while it was looked at, or is about to expire. */
    record Undecided() implements Verdict {}

    Equal EQUAL = new Equal();
    Undecided UNDECIDED = new Undecided();
}
