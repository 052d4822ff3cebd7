package dev.eden.activities.redis.validation;

/**
 * When two expiries count as the same. Between servers that tell the expiry itself the tolerance is zero; 6.2 only tells the time that
 * is left, which is good to some milliseconds.
 *
 * @param toleranceMillis largest difference that counts as none
 * @param graceMillis a key this near to its end may be gone on one side already: clocks differ and each server expires by its own
 * @param clockOffsetMillis the source's clock minus this machine's
 */
record ExpiryRule(long toleranceMillis, long graceMillis, long clockOffsetMillis) {

    boolean same(KeyState from, KeyState to) {
        if (from.expireAtMillis() < 0 || to.expireAtMillis() < 0) {
            return from.expireAtMillis() == to.expireAtMillis();
        }
        return Math.abs(from.expireAtMillis() - to.expireAtMillis()) <= toleranceMillis;
    }

    boolean near(KeyState state) {
        long now = System.currentTimeMillis() + clockOffsetMillis;
        return !state.missing() && state.expireAtMillis() >= 0 && state.expireAtMillis() - now <= graceMillis;
    }
}
