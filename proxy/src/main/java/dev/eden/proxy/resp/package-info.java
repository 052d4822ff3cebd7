/** RESP2 and RESP3 framing: resumable scanners that find where frames end and never copy a payload. */
@NullMarked
package dev.eden.proxy.resp;

import org.jspecify.annotations.NullMarked;
