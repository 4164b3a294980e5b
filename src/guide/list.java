class SuppressionList {
  private final Set<String> suppressed = new HashSet<>();
  private final Mac mac = Mac.getInstance("HmacSHA256");

  SuppressionList() throws Exception {
    var key = Files.readString(Path.of("ledger.key"));
    mac.init(new SecretKeySpec(
        HexFormat.of().parseHex(key.trim()), "HmacSHA256"));
    var said = new HashMap<String, String>();
    var list = Path.of("suppressed.txt");
    for (var line : Files.readAllLines(list)) {
      var part = line.split(": ", 2);
      if (!line.startsWith("#")) suppressed.add(line);
      else if (part.length == 2) said.put(part[0], part[1]);
    }
    var people = String.valueOf(suppressed.size());
    var made = keyed("dsr ledger key\0fingerprint");
    if (!"format 1".equals(said.get("# dsr suppressions")))
      throw new IOException(
          "not a suppression list in format 1");
    if (!made.substring(0, 16).equals(said.get("# key")))
      throw new IOException(
          "the list has another key");
    if (!people.equals(said.get("# people")))
      throw new IOException("the list was cut off");
  }

  private synchronized String keyed(String text) {
    var bytes = text.getBytes(StandardCharsets.UTF_8);
    return HexFormat.of().formatHex(mac.doFinal(bytes));
  }

  boolean mayTrack(String distinctId) {
    var digest = keyed(distinctId).substring(0, 32);
    return !suppressed.contains(digest);
  }
}
