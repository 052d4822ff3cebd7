package dev.eden.proxy.redis;

import dev.eden.proxy.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Who a backend connection logs in as. */
sealed interface Identity {
    /** A client that has not authenticated: the endpoint's {@code clientLogin}, where there is one. */
    record Anonymous() implements Identity {}

    /** A client's own credentials, a character for each byte, which need not be UTF-8; {@code user} null for the one-argument AUTH. */
    record Named(@Nullable String user, Secret password) implements Identity {
        /** Whether its name is this one, in UTF-8. */
        boolean isCalled(String name) {
            String mine = user;
            if (mine == null || mine.length() < name.length()) {
                return false;
            }
            for (int i = 0; i < name.length(); i++) {
                char each = name.charAt(i);
                if (each > 0x7f) {
                    return Arrays.equals(
                            mine.getBytes(StandardCharsets.ISO_8859_1), name.getBytes(StandardCharsets.UTF_8));
                }
                if (mine.charAt(i) != each) {
                    return false;
                }
            }
            return mine.length() == name.length();
        }
    }

    /** Eden's own proxy user. */
    record Eden() implements Identity {}

    Identity ANONYMOUS = new Anonymous();
    Identity EDEN = new Eden();
}
