package dev.eden.api;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Looks for secrets where Eden speaks or keeps something, in every form that an encoder would give them. */
final class SecretSearch {
    private final Map<String, String> places = new LinkedHashMap<>();

    /** {@code text}: all of it; bytes as ISO 8859-1. */
    SecretSearch in(String place, String text) {
        places.put(place, text);
        return this;
    }

    String text(String place) {
        return places.getOrDefault(place, "");
    }

    /** {@code allowed} stands there by intention, and does not count. */
    SecretSearch without(String place, String allowed) {
        places.computeIfPresent(place, (_, text) -> text.replace(allowed, ""));
        return this;
    }

    /** What was found where, as sentences. */
    List<String> leaks(Collection<String> secrets) {
        List<String> found = new ArrayList<>();
        for (String secret : secrets) {
            for (String form : forms(secret)) {
                places.forEach((place, text) -> {
                    int at = text.indexOf(form);
                    if (at >= 0) {
                        found.add(secret + " as " + form + " in " + place + ": "
                                + text.substring(Math.max(0, at - 80), Math.min(text.length(), at + 80)));
                    }
                });
            }
        }
        return found;
    }

    static List<String> forms(String secret) {
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        return Stream.of(
                        secret,
                        new StringBuilder(secret).reverse().toString(),
                        URLEncoder.encode(secret, StandardCharsets.UTF_8),
                        Base64.getEncoder().encodeToString(bytes).replace("=", ""),
                        HexFormat.of().formatHex(bytes),
                        sha256(secret))
                .distinct()
                .toList();
    }

    static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
