/** The REST API: docs/openapi.yaml is its contract. */
@NullMarked
package dev.eden.api.rest;

import org.jspecify.annotations.NullMarked;
