package dev.eden.demo.chaos;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that goes wrong.
 *
 * @param point failpoint at which it happens; null: {@code delayMillis} after the flip was asked for, or with no flip at all
 * @param flip whether authority is asked to move meanwhile
 * @param victim who is struck; where {@code point} is set this may be another process than the one that reaches it
 * @param millis how long it stays away
 * @param proxies how many there are
 */
record Fault(
        @Nullable String point, boolean flip, long delayMillis, Victim victim, Blow blow, long millis, int proxies) {

    /** A way that leads to a place which an undisturbed attempt never comes to. */
    record Primer(Node at, String point, String action) {}

    String name() {
        if (point != null) {
            return point;
        }
        return flip ? "random +" + delayMillis + " ms" : "between flips";
    }

    boolean kill() {
        return blow == Blow.KILL;
    }

    /** Which processes may come to the point; the first one there acts. */
    List<Node> reachedBy() {
        String place = point;
        if (place == null) {
            return List.of();
        }
        if (place.startsWith("settle.") && victim.process() != Node.SERVER) {
            return Node.proxies(proxies);
        }
        if (place.startsWith("proxy.")) {
            return List.of(victim.proxy() >= 0 ? victim.process() : Node.PROXY_1);
        }
        return List.of(Node.SERVER);
    }

    /** Whether the process that reaches the point strikes itself. */
    boolean self() {
        return switch (victim) {
            case Node node -> reachedBy().contains(node);
            case Way way -> false;
        };
    }

    List<Primer> primers() {
        String place = point;
        if (place == null) {
            return List.of();
        }
        // A coordinator that fails settles by itself; one that is dead is settled by a proxy.
        String end = victim.process() == Node.SERVER ? "error" : "kill";
        return switch (place) {
            case "settle.restore", "settle.end-abort" -> List.of(new Primer(Node.SERVER, "cutover.position", end));
            case "settle.unfence" -> List.of(new Primer(Node.SERVER, "cutover.unfence", end));
            case "cutover.abort" -> List.of(new Primer(Node.SERVER, "cutover.verify", "error"));
            default -> List.of();
        };
    }
}
