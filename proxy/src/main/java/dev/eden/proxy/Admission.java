package dev.eden.proxy;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * By what a fenced standby tells the proxies' logins from everybody else's while an attempt is armed. Whoever knows the password of the proxies' own
 * role there can make it; the standby itself knows its hash only.
 */
public final class Admission {
    private static final String ALGORITHM = "HmacSHA256";

    private Admission() {}

    /** For one epoch; good for nothing afterwards. */
    public static String pass(Secret proxyPassword, long epoch) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(proxyPassword.reveal().getBytes(StandardCharsets.UTF_8), ALGORITHM));
            return HexFormat.of().formatHex(mac.doFinal(("admission " + epoch).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
