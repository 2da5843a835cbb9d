import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Entry point: writes all fixtures into the folder given as the only argument. */
public final class Golden {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        write(folder.resolve("messages.json"), GoldenMessages.all());
        write(folder.resolve("headers.json"), GoldenMessages.headers());
        write(folder.resolve("consumer-protocol.json"), GoldenMessages.consumerProtocol());
        write(folder.resolve("record-batches.json"), GoldenRecords.batches());
        write(folder.resolve("checksums.json"), GoldenRecords.checksums());
        write(folder.resolve("error-codes.json"), GoldenMessages.errorCodes());
    }

    /** One case per line, so that a difference shows which one it is. */
    private static void write(Path file, List<? extends JsonNode> cases) throws IOException {
        String lines = cases.stream().map(JsonNode::toString).collect(Collectors.joining(",\n"));
        Files.writeString(file, "[\n" + lines + "\n]\n");
        System.out.println(file + ": " + cases.size() + " cases");
    }

    static String hex(byte[] bytes) {
        return java.util.HexFormat.of().formatHex(bytes);
    }
}
