/** Settings' tests. */
@NullMarked
package dev.eden.api.config;

import org.jspecify.annotations.NullMarked;
