package dev.eden.api.config;

import dev.eden.proxy.Secret;
import org.jspecify.annotations.Nullable;

/**
 * Somebody who is told of migrations. Of it only the name is ever shown.
 *
 * @param url where to send it, http or https; who has it may often send there, so it is kept as a secret is
 * @param secret what is sent is signed with; null: it is not
 */
public record Receiver(String name, Secret url, @Nullable Secret secret) {}
