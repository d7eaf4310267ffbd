//! Ticks that a person would choose.

/// The ticks of an axis from 0, evenly apart; the last one is not below the greatest value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) step: f64,
    pub(crate) steps: u32,
}

impl Axis {
    /// Chooses about `wanted` steps of 1, 2, 2.5 or 5 times a power of ten.
    pub(crate) fn up_to(greatest: f64, wanted: u32) -> Self {
        if !(greatest.is_finite() && greatest > 0.0) {
            return Self { step: 1.0, steps: 1 };
        }
        let rough = greatest / f64::from(wanted.max(1));
        let power = 10_f64.powf(rough.log10().floor());
        let factor =
            [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999_999);
        let step = factor.unwrap_or(10.0) * power;
        let steps = (1..=wanted.max(1)).find(|steps| f64::from(*steps) * step >= greatest * 0.999_999);
        Self { step, steps: steps.unwrap_or(wanted.max(1)) }
    }

    /// Returns the value at the end of the axis.
    pub(crate) fn end(&self) -> f64 {
        self.step * f64::from(self.steps)
    }

    /// Returns every tick with its text, 0 first.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let value = |step| self.step * f64::from(step);
        (0..=self.steps).map(|step| (value(step), label(value(step), self.step))).collect()
    }
}

/// How much greater than all others a value must be to be an outlier.
const OUTLIER_FACTOR: f64 = 3.0;
/// Of so many values one may be an outlier.
const VALUES_PER_OUTLIER: usize = 10;

/// Returns the greatest of the values that an axis has to reach. Outliers are left out, so that they do not flatten the
/// rest: at most one value of ten, and only if it is more than three times as great as all that are left.
pub(crate) fn greatest_usual(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let fewest = sorted.len() - sorted.len() / VALUES_PER_OUTLIER;
    let is_gap = |kept: &usize| sorted[*kept] > OUTLIER_FACTOR * sorted[*kept - 1] && sorted[*kept - 1] > 0.0;
    let kept = (fewest.max(1)..sorted.len()).find(is_gap).unwrap_or(sorted.len());
    sorted[..kept].last().copied().unwrap_or(0.0).max(0.0)
}

/// Writes a value with as many decimals as the distance of two ticks needs, and thousands apart.
fn label(value: f64, step: f64) -> String {
    let decimals = (0..6_usize).find(|decimals| {
        let scaled = step * 10_f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (scaled - scaled.round()).abs() < 1e-6
    });
    grouped(&format!("{value:.*}", decimals.unwrap_or(6)))
}

/// Returns a number to three digits, thousands apart.
pub(crate) fn short(value: f64) -> String {
    grouped(&crate::report::table::short(value))
}

fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |at| number.split_at(at));
    let digits = whole.trim_start_matches('-').len();
    let mut text = String::new();
    for (at, character) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if digits > 4 && left % 3 == 0 && left < digits {
            text.push('\u{202f}');
        }
        text.push(character);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reaches_the_greatest_value_in_round_steps() {
        for greatest in [0.003, 0.7, 1.0, 7.2, 99.0, 100.0, 12_345.0, 4e8] {
            let axis = Axis::up_to(greatest, 5);
            assert!(axis.end() >= greatest * 0.999 && axis.end() <= greatest * 2.5, "{greatest}: {axis:?}");
            assert!(axis.steps <= 5, "{greatest}: {axis:?}");
        }
        assert_eq!(Axis::up_to(100.0, 5), Axis { step: 20.0, steps: 5 });
        assert_eq!(Axis::up_to(0.0, 5).end().to_string(), "1");
        assert_eq!(Axis::up_to(f64::NAN, 5).steps, 1);
    }

    #[test]
    fn one_outlier_of_ten_values_does_not_set_the_end_of_an_axis() {
        let usual = [1.0, 2.0, 3.0, 2.5, 1.5, 2.0, 1.0, 2.0, 3.0];
        let greatest = |more: &[f64]| greatest_usual(usual.iter().chain(more).copied());
        assert_eq!(greatest(&[500.0]).to_string(), "3");
        assert_eq!(greatest(&[8.0]).to_string(), "8", "8 is less than three times 3");
        assert_eq!(greatest(&[500.0, 600.0]).to_string(), "600", "two of eleven are no outliers");
        assert_eq!(greatest_usual([1.0, 500.0].into_iter()).to_string(), "500");
        assert_eq!(greatest_usual([].into_iter()).to_string(), "0");
        assert_eq!(greatest_usual([0.0; 20].into_iter()).to_string(), "0");
    }

    #[test]
    fn ticks_have_no_more_decimals_than_they_need() {
        let texts = |axis: Axis| axis.ticks().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(Axis { step: 0.5, steps: 2 }), ["0.0", "0.5", "1.0"]);
        assert_eq!(texts(Axis { step: 20_000.0, steps: 2 }), ["0", "20\u{202f}000", "40\u{202f}000"]);
        assert_eq!(texts(Axis { step: 0.25, steps: 1 }), ["0.00", "0.25"]);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped("1234"), "1234");
        assert_eq!(grouped("12345"), "12\u{202f}345");
        assert_eq!(grouped("-1234567.5"), "-1\u{202f}234\u{202f}567.5");
    }
}
