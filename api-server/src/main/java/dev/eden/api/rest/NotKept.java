package dev.eden.api.rest;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A mutation whose answer may not be kept for a repeat: it takes no {@code Idempotency-Key}. The value says why, and what to do instead. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface NotKept {
    String value();
}
