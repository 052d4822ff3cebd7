package dev.eden.api.rest;

/** {@code HOST:PORT}, an IPv6 host in brackets; port 0 asks for a free one. */
public final class ListenAddress {
    private ListenAddress() {}

    public static boolean valid(String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0 || colon == text.length() - 1 || text.chars().anyMatch(Character::isWhitespace)) {
            return false;
        }
        String port = text.substring(colon + 1);
        return port.length() <= 5
                && port.chars().allMatch(c -> c >= '0' && c <= '9')
                && Integer.parseInt(port) <= 65_535;
    }
}
