package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What a method answers: its good statuses, and the problems beyond those that any request may get. docs/openapi.yaml says the same. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
@interface Answers {
    int[] value() default 200;

    ErrorCode[] problems() default {};
}
