package dev.eden.api.rest;

import dev.eden.api.config.Networks;
import java.net.InetAddress;
import java.util.List;

/**
 * Whose failed logins are counted together. A peer that is trusted speaks for others, as it says in {@code X-Forwarded-For}: the right-most
 * address there that is not trusted itself is the one that somebody trusted has seen; what stands to its left anybody may have written.
 * {@code Forwarded} (RFC 7239) is not read.
 */
final class ClientAddress {
    static final String HEADER = "X-Forwarded-For";

    private final Networks trusted;

    ClientAddress(Networks trusted) {
        this.trusted = trusted;
    }

    /**
     * @param peer of the TCP connection
     * @param forwarded the header's lines, in the order in which they came
     * @return {@code peer} where it is not trusted, says nothing, or something that is no list of addresses
     */
    String of(String peer, List<String> forwarded) {
        if (trusted.blocks().isEmpty() || forwarded.isEmpty()) {
            return peer;
        }
        try {
            InetAddress seen = address(peer);
            String[] hops = String.join(",", forwarded).split(",", -1);
            for (int hop = hops.length - 1; hop >= 0 && trusted.contain(seen); hop--) {
                seen = address(hops[hop].strip());
            }
            return seen.equals(address(peer)) ? peer : seen.getHostAddress();
        } catch (IllegalArgumentException malformed) {
            return peer;
        }
    }

    private static InetAddress address(String text) {
        boolean bracketed = text.startsWith("[") && text.endsWith("]");
        return InetAddress.ofLiteral(bracketed ? text.substring(1, text.length() - 1) : text);
    }
}
