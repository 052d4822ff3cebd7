package dev.eden.activities.store;

import dev.eden.proxy.Backend;
import org.jspecify.annotations.Nullable;

/** A database Eden may connect to, credentials resolved: lives in an activity's memory only. {@code engine}: {@code redis} or {@code postgres}. */
public record Endpoint(String id, String engine, String host, int port, boolean tls, Backend.@Nullable Login login) {}
