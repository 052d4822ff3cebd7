package dev.eden.api.metrics;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;

/**
 * {@code eden probe URL}: exit code 0 where the URL answers 200 within 3 s, else 1. For the health check of an image that has no
 * HTTP client; it uses the JDK only, because its JVM is started every few seconds.
 */
public final class Probe {
    private static final int PATIENCE_MILLIS = 3_000;

    private Probe() {}

    public static void main(String[] arguments) {
        System.exit(arguments.length == 1 && healthy(arguments[0]) ? 0 : 1);
    }

    static boolean healthy(String url) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(url).toURL().openConnection();
            connection.setConnectTimeout(PATIENCE_MILLIS);
            connection.setReadTimeout(PATIENCE_MILLIS);
            return connection.getResponseCode() == 200;
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }
}
