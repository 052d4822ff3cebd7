/** Holds the files of operations (images, compose, manifests, rules, dashboards, documents) against the code. */
@NullMarked
package dev.eden.api.operations;

import org.jspecify.annotations.NullMarked;
