package dev.eden.proxy;

/** A password in memory. It never shows itself: {@code toString} is redacted and there is no serialised form. */
public final class Secret {
    private final String value;

    public Secret(String value) {
        this.value = value;
    }

    /** The clear text, for the one line that sends it to a server. */
    public String reveal() {
        return value;
    }

    @Override
    public String toString() {
        return "‹redacted›";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret that && java.security.MessageDigest.isEqual(bytes(), that.bytes());
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    private byte[] bytes() {
        return value.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
