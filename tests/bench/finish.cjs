// One round of finishing by sharp (https://sharp.pixelplumbing.com); see finishers.py.
const errand = JSON.parse(process.argv[2]);
let sharp;
try {
  sharp = require("sharp");
} catch {
  console.error("sharp is not installed (npm install sharp, and NODE_PATH to it)");
  process.exit(1);
}
const fs = require("fs");
const data = fs.readFileSync(errand.take);

async function finish(files) {
  const whole = await sharp(data).raw().toBuffer({ resolveWithObject: true });
  const raw = { width: whole.info.width, height: whole.info.height, channels: whole.info.channels };
  await Promise.all(
    files.map(({ width, height, form }) => {
      const cut = sharp(whole.data, { raw }).resize(width, height, { fit: "cover" });
      return form === "webp"
        ? cut.webp({ quality: 82, effort: 4 }).toBuffer()
        : cut.jpeg({ quality: 82, progressive: true, optimiseCoding: true }).toBuffer();
    }),
  );
}

(async () => {
  await finish([{ width: 16, height: 16, form: "jpeg" }]);
  const began = process.hrtime.bigint();
  await finish(errand.files);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  // Linux hands on the parent's peak to what it starts, but for this one
  const status = "/proc/self/status";
  const peak_mib = fs.existsSync(status)
    ? Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(status, "utf8"))[1]) / 1024
    : process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ seconds, peak_mib }));
})();
