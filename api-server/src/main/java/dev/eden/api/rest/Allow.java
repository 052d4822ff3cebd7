package dev.eden.api.rest;

import dev.eden.api.store.TokenStore.Role;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The least role a method asks for. A method without it is for admins. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Allow {
    Role value();
}
