package dev.eden.activities.redis.replication;

/** Why a {@link ReplicationSession} is over. */
sealed interface Ending {
    /** By {@link ReplicationSession#close}. */
    record Closed() implements Ending {}

    /** The identity was taken away, or the written server lost: the generation is over. */
    record Interrupted(String why) implements Ending {}

    /** What the log or the written server has no more can only come from a new full load. */
    record LogLost(String why) implements Ending {}

    /** A person is needed. */
    record Stopped(String why) implements Ending {}
}
