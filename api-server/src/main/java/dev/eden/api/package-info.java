@NullMarked
package dev.eden.api;

import org.jspecify.annotations.NullMarked;
