(function () {
  "use strict";
  // Paper has nothing to click on; not every browser prints closed details by the style alone.
  var closed = [];
  window.addEventListener("beforeprint", function () {
    closed = Array.prototype.slice.call(document.querySelectorAll(".events details:not([open])"));
    closed.forEach(function (details) { details.open = true; });
  });
  window.addEventListener("afterprint", function () {
    closed.forEach(function (details) { details.open = false; });
  });
  var table = document.getElementById("events");
  var tools = document.getElementById("tools");
  if (!table || !tools) return;
  var find = document.getElementById("find");
  var kind = document.getElementById("kind");
  var found = document.getElementById("found");
  var open = document.getElementById("open");
  var rows = Array.prototype.slice.call(table.tBodies[0].rows);
  var texts = null;
  var timer = 0;

  function filter() {
    if (!texts) {
      texts = rows.map(function (row) { return row.textContent.toLowerCase(); });
    }
    var words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    rows.forEach(function (row, place) {
      var fits = (kind.value === "" || row.dataset.kind === kind.value) &&
        words.every(function (word) { return texts[place].indexOf(word) >= 0; });
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    found.textContent = shown === rows.length ? "" :
      shown.toLocaleString("en") + " of " + rows.length.toLocaleString("en") + " shown";
  }

  tools.hidden = false;
  tools.addEventListener("submit", function (event) { event.preventDefault(); });
  kind.addEventListener("change", filter);
  find.addEventListener("input", function () {
    clearTimeout(timer);
    timer = setTimeout(filter, 120);
  });
  open.addEventListener("click", function () {
    var opening = open.textContent === "Open all details";
    rows.forEach(function (row) {
      var details = row.querySelector("details");
      if (details && !row.hidden) details.open = opening;
    });
    open.textContent = opening ? "Close all details" : "Open all details";
  });
})();
