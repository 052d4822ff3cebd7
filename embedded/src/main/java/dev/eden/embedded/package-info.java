@NullMarked
package dev.eden.embedded;

import org.jspecify.annotations.NullMarked;
