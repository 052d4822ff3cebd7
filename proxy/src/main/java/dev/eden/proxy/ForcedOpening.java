package dev.eden.proxy;

/**
 * An operator's word on who owns an interlay's writes, given to a proxy that holds requests because the store went away in the middle of an
 * attempt. Only the operator can know: a store that is away can't tell whether the attempt was committed.
 *
 * @param owner the endpoint that owns the writes, one of the two that the proxy knew last
 * @param actor who says so, for the record
 * @param reason why, for the record
 */
public record ForcedOpening(String owner, String actor, String reason) {

    /** What the proxy made of it. Only {@link #OPENED} has changed anything. */
    public enum Outcome {
        OPENED("serves on the word of the operator until the store can be read"),
        ALREADY_SERVING("the proxy is serving; there is nothing to open"),
        STORE_ANSWERS("the store can be read: it says who owns the writes, and Eden settles the attempt by itself"),
        CONTRADICTS_THE_ROW("the proxy has read how the attempt ended: the other side owns the writes"),
        UNKNOWN_OWNER("the endpoint is neither side of the route that the proxy knew last");

        private final String meaning;

        Outcome(String meaning) {
            this.meaning = meaning;
        }

        public String meaning() {
            return meaning;
        }
    }
}
